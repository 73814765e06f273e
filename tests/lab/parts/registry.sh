# Distribution's registry, unpacked and not installed: the package would start a service.
recipe_registry() {
  unpack_packages "$1" docker-registry
  "$1/usr/bin/docker-registry" --version >/dev/null
}
