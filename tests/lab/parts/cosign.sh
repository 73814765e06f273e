# cosign and oras, as Debian's release under way builds them, with the C library that they were built with.
recipe_cosign() {
  local into=$1 release=$2 all program
  all=$(mktemp -d)
  debian_tree extract amd64 "$release" cosign,oras "$all/root" || return 1
  mkdir "$into/bin" "$into/lib"
  cp "$all"/root/usr/bin/{cosign,oras} "$into/bin/"
  cp -L "$all"/root/usr/lib64/ld-linux-x86-64.so.2 "$all"/root/usr/lib/x86_64-linux-gnu/{libc,libresolv}.so.* "$into/lib/"
  rm -rf "$all"
  for program in cosign oras; do
    "$into/lib/ld-linux-x86-64.so.2" --library-path "$into/lib" "$into/bin/$program" version >/dev/null || return 1
  done
}
