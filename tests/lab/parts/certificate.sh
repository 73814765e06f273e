# A throw-away authority, made on this machine and trusted by nothing outside a lab, and one server certificate for the names that
# ECR answers under. Layers come from S3 under another name (see front/registry.mjs), and AWS's API has names of its own, so these are
# in it too.
recipe_certificate() (
  cd "$1" || exit 1
  umask 077
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Falcon lab throw-away authority' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' -keyout ca.key -out ca.crt 2>/dev/null &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=ecr.lab' -keyout server.key -out server.csr 2>/dev/null &&
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out server.crt -extfile <(
      cat <<'EXTENSIONS'
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:*.dkr.ecr.eu-west-1.amazonaws.com, DNS:*.dkr.ecr.us-east-1.amazonaws.com, DNS:*.s3.eu-west-1.amazonaws.com, DNS:*.s3.us-east-1.amazonaws.com, DNS:*.ecr.eu-west-1.amazonaws.com, DNS:*.ecr.us-east-1.amazonaws.com, DNS:*.eu-west-1.amazonaws.com, DNS:*.us-east-1.amazonaws.com, DNS:sts.amazonaws.com, DNS:localhost, IP:127.0.0.1
EXTENSIONS
    ) 2>/dev/null
  rm -f server.csr ca.key ca.srl
  chmod 644 ca.crt server.crt
)
