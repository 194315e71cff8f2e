DROP TABLE market_debts;
DROP INDEX settlements_being_undone;
ALTER TABLE settlements DROP COLUMN undo_covered_minor;
ALTER TABLE settlements DROP COLUMN undo_cursor;
DROP TABLE market_disputes;
DROP TABLE market_resolutions;
ALTER TABLE transfers DROP CONSTRAINT transfers_kind_check;
ALTER TABLE transfers ADD CONSTRAINT transfers_kind_check CHECK (kind IN ('mint', 'grant', 'payment', 'subsidy', 'bet', 'sale', 'payout',
    'refund', 'fee', 'remainder', 'reversal', 'cover')) NOT VALID;
DELETE FROM api_keys WHERE scopes LIKE '%resolve';
ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check CHECK (scopes IN (
        'read', 'trade', 'manage', 'read trade', 'read manage', 'trade manage', 'read trade manage'
    ));
