-- `upstream` for a run that upstream PUMA made elsewhere and that was imported with all our columns filled.
-- Elsewhere NULL: runs that upstream wrote into this file are told by their missing columns.
ALTER TABLE runs ADD COLUMN origin TEXT;
