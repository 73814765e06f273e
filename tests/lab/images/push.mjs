// Pushes images that oci.mjs made into a registry that asks nobody who they are.
import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "./oci.mjs";

export class Registry {
  #pushed = new Set();

  constructor(url) {
    this.url = url;
  }

  async ready() {
    for (let tries = 0; tries < 100; tries += 1) {
      const answers = await fetch(new URL("/v2/", this.url)).then(
        (response) => response.ok,
        () => false,
      );
      if (answers) return;
      await sleep(50);
    }
    throw new Error("the registry did not start");
  }

  /** Pushes an image, or an index with its images, under a tag or its digest. */
  async push(repository, reference, thing) {
    for (const blob of thing.blobs ?? []) await this.#pushBlob(repository, blob);
    for (const child of thing.children ?? []) await this.push(repository, sha256(child.bytes), child);
    await this.#putManifest(repository, reference, thing);
  }

  /** Makes an image of one repository one of another's too, without its bytes. */
  async mount(from, repository, reference, thing) {
    for (const blob of thing.blobs) {
      const query = new URLSearchParams({ mount: sha256(blob), from });
      await this.#call("POST", `/v2/${repository}/blobs/uploads/?${query}`, 201);
    }
    await this.#putManifest(repository, reference, thing);
  }

  #putManifest(repository, reference, { mediaType, bytes }) {
    const headers = { "content-type": mediaType };
    return this.#call("PUT", `/v2/${repository}/manifests/${reference}`, 201, { headers, body: bytes });
  }

  async #pushBlob(repository, bytes) {
    const digest = sha256(bytes);
    if (this.#pushed.has(`${repository}@${digest}`)) return;
    const session = await this.#call("POST", `/v2/${repository}/blobs/uploads/`, 202);
    const location = new URL(session.headers.get("location"), this.url);
    location.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    await this.#call("PUT", location, 201, { headers, body: bytes });
    this.#pushed.add(`${repository}@${digest}`);
  }

  async #call(method, path, expected, { headers, body } = {}) {
    const response = await fetch(new URL(path, this.url), { method, headers, body });
    if (response.status !== expected)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
    return response;
  }
}
