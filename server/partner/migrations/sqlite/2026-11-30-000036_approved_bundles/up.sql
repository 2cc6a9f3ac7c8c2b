-- Which operation bundles an app may run the GraphQL documents of. Same model as the PostgreSQL directory. The list is a
-- JSON array. Nobody had any on the live host before.

ALTER TABLE apps ADD COLUMN approved_bundles TEXT NOT NULL DEFAULT '[]';
