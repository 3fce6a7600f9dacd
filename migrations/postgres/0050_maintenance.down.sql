REVOKE INSERT, UPDATE ON policy_epoch FROM weir_system;
DROP TABLE installation;
REVOKE SELECT, DELETE ON idempotency FROM weir_system;
DROP INDEX idempotency_recorded_at;
