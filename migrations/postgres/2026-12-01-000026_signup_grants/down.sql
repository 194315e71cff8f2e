DROP TABLE signup_grants;
