-- The risk that the findings of a profile amount to, beside the one that an import says: an import says it anew, and
-- findings go when their source no longer has them.

ALTER TABLE profiles ADD COLUMN found_risk_score INTEGER NOT NULL DEFAULT 0;
