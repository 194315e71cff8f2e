UPDATE accounts SET status = 'open' WHERE status = 'closed';
