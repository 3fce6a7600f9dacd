DROP TABLE compiler;
