# A root file system for an image, from Debian packages that are unpacked and never configured: configuring an ARM64 one would
# run for minutes under emulation. What configuration would have added (accounts, CA bundle), the image's own layer brings.
recipe_tree() {
  local into=$1 architecture=$2 packages=$3
  debian_tree extract "$architecture" bookworm "$packages" "$into/root" || return 1
  rm -rf "$into"/root/{dev,var/cache/apt,var/lib/apt,var/lib/dpkg,usr/share/lintian,usr/share/bash-completion}
  rm -rf "$into"/root/etc/{init.d,ufw,logrotate.d,cron.d}
  (cd "$into/root" && tar --create --sort=name --numeric-owner --owner=0 --group=0 --mtime=@1700000000 --file="$into/layer.tar" .) || return 1
  rm -rf "$into/root"
  # Layers are named by two digests: of the tar (in the image's configuration) and of what is stored (in the manifest).
  sha256sum "$into/layer.tar" | cut -d ' ' -f 1 >"$into/diff-id" && gzip -n -6 "$into/layer.tar"
}
