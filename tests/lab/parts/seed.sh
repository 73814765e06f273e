# The registry's storage with every image already pushed once; a lab lays its own writable layer over it, so each starts pristine.
# The push goes through a real registry in a private network, because a storage written by hand would tie us to its inner layout.
recipe_seed() {
  mkdir -p "$1/storage"
  unshare --net --pid --fork --kill-child bash -euo pipefail -c '
    ip link set lo up
    cat >"$1/registry.yml" <<CONFIG
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: "$1/storage"}}
http: {addr: "127.0.0.1:5000"}
CONFIG
    "$2/registry/usr/bin/docker-registry" serve "$1/registry.yml" >"$1/registry.log" 2>&1 &
    node "$3/images/push-all.mjs" http://127.0.0.1:5000 "$2" "$1/images.json"
    rm "$1/registry.yml" "$1/registry.log"
  ' seed "$1" "$LAB_PARTS" "$LAB_SOURCE"
}
