// Contacts for tests: none, and made-up ones.

const site = "https://code.example.test/project";

export const madeUpContacts = {
  publisher: "made-up",
  repository: `${site}.git`,
  issues: `${site}/issues`,
  documentation: `${site}/blob/main`,
  support: "mailto:support@example.test",
  firstRealRun: "",
};

export const emptyContacts = Object.fromEntries(Object.keys(madeUpContacts).map((name) => [name, ""]));
