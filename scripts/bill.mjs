// Writes the software bill of materials of the task, in the form of CycloneDX (<https://cyclonedx.org>).
import { writeFileSync } from "node:fs";
import { readJson } from "./tools.mjs";

/** Writes the bill. It holds neither time nor serial number, so that the same parts result in the same bytes. */
export async function writeBill(parts, path) {
  const { Enums, Models, Serialize, Spec } = await import("@cyclonedx/cyclonedx-library");
  const { PackageURL } = await import("packageurl-js");
  const bill = new Models.Bom();
  const { name, version, license } = readJson("package.json");
  const task = new Models.Component(Enums.ComponentType.Application, name, { version, bomRef: name });
  task.licenses.add(new Models.LicenseExpression(license));
  bill.metadata.component = task;
  for (const part of parts) {
    const [scope, plain] = part.name.startsWith("@") ? part.name.split("/") : [undefined, part.name];
    const purl = new PackageURL(part.registry, scope, plain, part.version, undefined, undefined).toString();
    const component = new Models.Component(Enums.ComponentType.Library, plain, {
      version: part.version,
      group: scope,
      bomRef: purl,
      purl,
    });
    // Older crates write the slash for "or".
    component.licenses.add(new Models.LicenseExpression(expression(part.licence)));
    bill.components.add(component);
    task.dependencies.add(component.bomRef);
  }
  const normaliser = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const serialiser = new Serialize.JsonSerializer(normaliser);
  writeFileSync(path, `${serialiser.serialize(bill, { sortLists: true, space: 2 })}\n`);
}

/** A licence as an SPDX expression. */
export function expression(licence) {
  return licence.replace(/\s*\/\s*/g, " OR ");
}
