// Certificates for an engine that is reached by TLS, and for its clients.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

const openssl = (folder, ...args) =>
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });

/** Makes an authority in a folder, as `ca.pem` and `ca-key.pem`. */
export function makeAuthority(folder) {
  mkdirSync(folder, { recursive: true });
  const subject = ["-subj", "/CN=An engine's authority"];
  openssl(
    folder,
    "req",
    "-x509",
    ...key,
    "-days",
    "2",
    ...subject,
    "-keyout",
    "ca-key.pem",
    "-out",
    "ca.pem",
  );
}

/** Signs a certificate with the authority of a folder; `names` are its alternative names. */
export function sign(folder, name, { names = "DNS:localhost", days = "2", out = folder } = {}) {
  mkdirSync(out, { recursive: true });
  const [cert, secret] = [join(out, `${name}cert.pem`), join(out, `${name}key.pem`)];
  openssl(folder, "req", ...key, "-subj", "/CN=engine", "-keyout", secret, "-out", "request.pem");
  writeFileSync(join(folder, "extensions"), `subjectAltName = ${names}\n`);
  const authority = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"];
  const signing = ["-days", days, "-extfile", "extensions", "-in", "request.pem", "-out", cert];
  openssl(folder, "x509", "-req", ...authority, ...signing);
  for (const file of ["request.pem", "extensions"]) rmSync(join(folder, file));
}
