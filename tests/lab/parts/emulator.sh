# QEMU's user-mode emulator for ARM64, unpacked and not installed: the package would register handlers with the machine's kernel.
# Only the one static program is kept of the package's thirty.
recipe_emulator() {
  local all
  all=$(mktemp -d)
  unpack_packages "$all" qemu-user-static
  cp "$all/usr/bin/qemu-aarch64-static" "$1/"
  rm -rf "$all"
  "$1/qemu-aarch64-static" --version >/dev/null
}
