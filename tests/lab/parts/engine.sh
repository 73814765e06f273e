# The root file system of one Docker Engine with its command line and buildx, as Debian builds them. Further packages may follow
# the release: crane is not in every one.
recipe_engine() {
  local into=$1 release=$2 packages=docker.io,docker-cli,docker-buildx,iptables,mount,ca-certificates
  shift 2
  debian_tree minbase amd64 "$release" "$(IFS=, && echo "$packages${1:+,$*}")" "$into/root" || return 1
  chmod 755 "$into/root"
  chroot "$into/root" dockerd --version | sed -E 's/^Docker version ([0-9.]+).*/\1/' >"$into/version"
}
