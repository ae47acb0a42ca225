-- Our own tables, beside the journal's; the same on H2 and PostgreSQL. A change here is another StoreSchema.VERSION.

-- One row: of which version the tables are, and which store this is.
CREATE TABLE IF NOT EXISTS "troupe_store" (
  "one" INTEGER NOT NULL PRIMARY KEY CHECK ("one" = 1),
  "schema_version" INTEGER NOT NULL,
  "store_id" VARCHAR(36) NOT NULL
);
