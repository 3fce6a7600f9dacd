DROP TABLE service_account_token_use;
