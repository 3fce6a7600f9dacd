DROP TABLE organization, member, project, provider, route, key, gateway,
  enrolment_token, agent, service_account, service_account_token;
