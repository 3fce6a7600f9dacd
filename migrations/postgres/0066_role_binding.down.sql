DROP TABLE role_binding;
