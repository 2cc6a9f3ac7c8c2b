-- Changes every row of the table before, and of older ones. Backfills follow.

ALTER TABLE notes ADD COLUMN initial TEXT NOT NULL DEFAULT '';
UPDATE apps SET name = name || '!';
