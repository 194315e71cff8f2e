-- Erasing a user closes their accounts; those of users erased before are closed here.

UPDATE accounts SET status = 'closed'
WHERE owner_id IN (SELECT id FROM users WHERE erased_at_us IS NOT NULL);
