DROP TABLE idempotency, event, organization_head;
DROP PROCEDURE isolate(regclass);
