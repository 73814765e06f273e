# The stand-in falconutil that uses moby's own Go client, for each architecture. Compiler and sources are Debian's, unpacked and
# not installed.
recipe_falconutil() {
  local into=$1 all version architecture building=()
  all=$(mktemp -d)
  refresh_apt
  version=$(apt-cache depends golang-go | sed -n 's/.*Depends: golang-\([0-9.]*\)-go$/\1/p')
  unpack_packages "$all" "golang-$version-go" "golang-$version-src" golang-github-docker-{docker,distribution,go-connections,go-units}-dev \
    golang-github-{gogo-protobuf,opencontainers-go-digest,opencontainers-image-spec,pkg-errors,sirupsen-logrus}-dev golang-golang-x-{net,sys}-dev
  for architecture in amd64 arm64; do
    GOROOT=$all/usr/lib/go-$version GOPATH=$all/usr/share/gocode GOCACHE=$all/cache GOARCH=$architecture GO111MODULE=off CGO_ENABLED=0 \
      "$all/usr/lib/go-$version/bin/go" build -ldflags '-s -w' -o "$into/falconutil-$architecture" "$LAB_FIXTURES/sensor-go/main.go" &
    building+=($!)
  done
  for architecture in "${building[@]}"; do wait "$architecture" || return 1; done
  rm -rf "$all"
}
