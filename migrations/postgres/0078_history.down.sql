DROP INDEX event_kind;
DROP INDEX event_actor;
DROP INDEX event_request;
