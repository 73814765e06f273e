# The machine's own ARM64 handler, remembered before the first lab and put back after the last. Handlers are the kernel's; since
# Linux 6.7 they go by themselves with the last mount of binfmt_misc, but a machine may have it mounted, or an older kernel.

binfmt_before=$LAB_CACHE/binfmt.before

# In a mount namespace of its own, so that a machine without the mount stays without.
with_handlers() {
  unshare --mount bash -c '
    handlers=/proc/sys/fs/binfmt_misc
    [ -e $handlers/register ] || mount -t binfmt_misc binfmt_misc $handlers
    cd $handlers && '"$1" - "$binfmt_before"
}

remember_handler() { with_handlers 'cat qemu-aarch64 >"$1" 2>/dev/null || : >"$1"'; }

restore_handler() {
  with_handlers '
    if [ ! -s "$1" ]; then
      [ ! -e qemu-aarch64 ] || echo -1 >qemu-aarch64
    elif [ ! -e qemu-aarch64 ] || ! cmp -s qemu-aarch64 "$1"; then
      [ ! -e qemu-aarch64 ] || echo -1 >qemu-aarch64
      hex() { sed -n "s/^$1 //p" "$2" | sed "s/../\\\\x&/g"; }
      printf ":qemu-aarch64:M:%s:%s:%s:%s:%s" "$(sed -n "s/^offset //p" "$1")" "$(hex magic "$1")" "$(hex mask "$1")" \
        "$(sed -n "s/^interpreter //p" "$1")" "$(sed -n "s/^flags: //p" "$1")" >register
    fi'
}
