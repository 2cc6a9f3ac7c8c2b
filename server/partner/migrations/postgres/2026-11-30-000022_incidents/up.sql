-- The state of a profile that is an incident, as whoever knows it has said it last; null where nobody has, and on every
-- other profile.

ALTER TABLE profiles ADD COLUMN incident_status TEXT;
ALTER TABLE profiles ADD COLUMN incident_severity TEXT COLLATE "C";
ALTER TABLE profiles ADD COLUMN incident_summary TEXT;

CREATE INDEX profiles_open_incidents ON profiles (tenant_id, id)
    WHERE kind = 'incident' AND (incident_status IS NULL OR incident_status <> 'closed');
