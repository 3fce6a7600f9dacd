DROP TABLE audit_link, audit_key;
