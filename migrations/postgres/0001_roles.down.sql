DROP FUNCTION current_organization();
