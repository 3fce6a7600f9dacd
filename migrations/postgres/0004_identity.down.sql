DROP TABLE session, member_person;
