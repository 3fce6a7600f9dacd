package postgres_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// ofNobody are the tables without an organization, each with its reason.
var ofNobody = map[string]string{
	"schema_migrations": "the schema's version",
	"installation":      "which server the database was last served from",
	"ingest_partition":  "a partition of the usage topic carries usage of many organizations",
	"ingest_block":      "a block has rows of many organizations",
	"ingest_process":    "which processes of ingest run",
	"audit_key":         "the audit chains of all organizations are authenticated with it",
	"spent_login":       "a login is spent before any organization is known",
	"compiler":          "which builds of the control plane run",
}

// systemWrites are the tables that weir_system may change, each with its reason.
var systemWrites = map[string]string{
	"member_person":             "a login ties the provider's name of a person to the member, before an organization is chosen",
	"session":                   "a login is looked up by its cookie",
	"service_account_token_use": "uses of all organizations' tokens are written together",
	"agent_status":              "reports of all agents are written together",
	"agent_tail":                "as agent_status",
	"revocation_receipt":        "as agent_status",
	"agent_ask":                 "asks of all organizations are given to agents together",
	"ingest_partition":          "ingest claims what agents of all organizations sent",
	"ingest_block":              "as ingest_partition",
	"ingest_boot":               "as ingest_partition",
	"ingest_claim":              "as ingest_partition",
	"alert":                     "old alerts are forgotten, of all organizations together",
	"alert_attempt":             "as alert",
	"alert_delivery":            "as alert",
	"idempotency":               "old answers are forgotten, of all organizations together",
	"policy_epoch":              "all epochs rise when the store was restored",
	"installation":              "as policy_epoch",
	"compiler":                  "builds of the control plane say that they run",
	"ingest_dead":               "as ingest_partition",
	"ingest_accepted":           "as ingest_partition",
	"ingest_gap":                "as ingest_partition",
	"ingest_process":            "as ingest_partition",
	"audit_key":                 "keys of the installation are made and wrapped again by command",
	"signing_key":               "all organizations' keys are rotated and wrapped again by command",
	"secret":                    "all organizations' secrets are wrapped again by command",
	"spent_login":               "a login is spent before any organization is known",
	"organization_head":         "who rotates keys wakes those who follow the log",
}

// acrossOrganizations are unique indexes that span organizations, and so can tell
// one that another has a row.
var acrossOrganizations = map[string]string{
	"organization_name":            "names of organizations are unique, and no secret",
	"join_domain_name":             "a domain of addresses belongs to one organization; the second is told that it is taken",
	"member_live":                  "a random id",
	"agent_live":                   "a random id",
	"enrolment_token_sha256":       "the hash of a random token",
	"service_account_token_sha256": "the hash of a random token",
	"session_pkey":                 "the hash of a random cookie",
	"session_id":                   "a random id",
	"ingest_dead_pkey":             "a random id",
	"ingest_accepted_pkey":         "a random id",
	"ingest_boot_pkey":             "a random id",
	"ingest_claim_pkey":            "a random id",
}

// rules are queries for what must not be; each row says so in words.
var rules = map[string]string{
	"rls_is_enabled_and_forced": `SELECT relname || ' is without forced row-level security' FROM tenant
		WHERE NOT (relrowsecurity AND relforcerowsecurity)`,
	"organization_id_is_a_uuid_and_there": `SELECT relname || '.organization_id may be NULL or is no uuid' FROM tenant
		WHERE NOT (attnotnull AND atttypid = 'uuid'::regtype)`,
	"both_roles_have_their_policy": `SELECT relname || ' lacks the policy of ' || role FROM tenant,
			(VALUES ('weir_app', '(organization_id = current_organization())'), ('weir_system', 'true')) wanted (role, condition)
		WHERE NOT EXISTS (SELECT FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = relname AND p.roles = ARRAY[role]::name[]
			AND p.cmd = 'ALL' AND p.permissive = 'PERMISSIVE' AND p.qual = condition AND p.with_check = condition)`,
	"there_are_no_other_policies": `SELECT tablename || ' has the policy ' || policyname FROM pg_policies
		WHERE schemaname <> 'public' OR NOT (policyname = 'one_organization' AND roles = '{weir_app}'
			OR policyname = 'every_organization' AND roles = '{weir_system}')`,
	"tables_of_nobody_are_listed": `SELECT relname || ' has no organization_id and is not in ofNobody' FROM ours
		WHERE oid NOT IN (SELECT oid FROM tenant) AND relkind IN ('r', 'p') AND relname <> ALL($1)`,
	"tables_of_nobody_are_not_the_apps": `SELECT relname || ' is of nobody and weir_app may ' || privilege_type FROM granted
		WHERE grantee = 'weir_app' AND oid NOT IN (SELECT oid FROM tenant)`,
	"only_tables": `SELECT relname || ' is neither table nor index (' || relkind::text || '): look who it reads as' FROM ours
		WHERE relkind NOT IN ('r', 'p', 'i', 'I', 'S')`,
	"only_our_roles_are_granted": `SELECT relname || ' grants ' || privilege_type || ' to ' || grantee FROM granted
		WHERE grantee NOT IN ('weir_app', 'weir_system')`,
	"only_rows_are_granted": `SELECT relname || ' grants ' || privilege_type || ' to ' || grantee FROM granted
		WHERE privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
	"nothing_is_granted_by_default": `SELECT 'default privileges grant ' || defaclacl::text FROM pg_default_acl`,
	"what_is_recorded_stays": `SELECT relname || ' grants ' || privilege_type || ' to ' || grantee FROM granted
		WHERE relname IN ('event', 'release', 'audit_link') AND privilege_type IN ('UPDATE', 'DELETE')`,
	"the_system_reads_what_it_backs_up": `SELECT relname || ' can not be read by weir_system' FROM ours
		WHERE relkind IN ('r', 'p') AND relname <> 'schema_migrations' AND NOT has_table_privilege('weir_system', oid, 'SELECT')`,
	"the_system_writes_what_is_listed": `SELECT relname || ': weir_system may ' || privilege_type || ', not in systemWrites' FROM granted
		WHERE grantee = 'weir_system' AND privilege_type <> 'SELECT' AND relname <> ALL($2)`,
	"unique_indexes_tell_nothing": `SELECT i.indexrelid::regclass || ' is unique over organizations, not in acrossOrganizations'
		FROM pg_index i JOIN tenant t ON t.oid = i.indrelid WHERE i.indisunique AND i.indexrelid::regclass::text <> ALL($3)
			AND t.attnum <> ALL(i.indkey::int2[])`,
	"foreign_keys_tell_nothing": `SELECT c.conname || ' refers to rows of others' FROM pg_constraint c
		JOIN tenant t ON t.oid = c.confrelid
		WHERE t.attnum <> ALL(c.confkey) AND has_table_privilege('weir_app', c.conrelid, 'INSERT')`,
	"functions_run_as_their_caller": `SELECT proname || ' is SECURITY DEFINER or sets the role' FROM pg_proc
		WHERE pronamespace = 'public'::regnamespace AND (prosecdef OR proconfig::text ~ 'role|row_security|session_auth')`,
	"no_triggers_nor_rules": `SELECT tgname || ' is a trigger' FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT rulename || ' is a rule' FROM pg_rules WHERE schemaname = 'public'`,
	"everything_is_in_public": `SELECT nspname || ' is a schema that these rules do not see' FROM pg_namespace
		WHERE nspname NOT IN ('public', 'information_schema') AND nspname !~ '^pg_'`,
	"our_roles_can_nothing_else": `SELECT rolname || ' is more than a role with grants' FROM pg_roles WHERE rolname IN ('weir_app', 'weir_system')
			AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication)
		UNION ALL SELECT member::regrole || ' is a member of ' || roleid::regrole FROM pg_auth_members
			WHERE member::regrole::text IN ('weir_app', 'weir_system')`,
	"our_roles_own_nothing": `SELECT relname || ' belongs to ' || relowner::regrole FROM pg_class
			WHERE relowner::regrole::text IN ('weir_app', 'weir_system') AND relpersistence <> 't'
		UNION ALL SELECT proname || ' belongs to ' || proowner::regrole FROM pg_proc WHERE proowner::regrole::text IN ('weir_app', 'weir_system')
		UNION ALL SELECT r || ' may create in public' FROM unnest(ARRAY['weir_app', 'weir_system']) r
			WHERE has_schema_privilege(r, 'public', 'CREATE')`,
}

// found are the relations that rules speak of.
const found = `WITH ours AS (
	SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
), tenant AS (
	SELECT o.*, a.oid_attribute, a.attnum, a.attnotnull, a.atttypid FROM ours o JOIN (
		SELECT attrelid AS oid_attribute, attnum, attnotnull, atttypid FROM pg_attribute WHERE attname = 'organization_id' AND NOT attisdropped
	) a ON a.oid_attribute = o.oid WHERE o.relkind IN ('r', 'p')
), granted AS (
	SELECT o.oid, o.relname, g.privilege_type, CASE g.grantee WHEN 0 THEN 'everybody' ELSE g.grantee::regrole::text END AS grantee
	FROM ours o, LATERAL (SELECT * FROM aclexplode(o.relacl) UNION ALL
		SELECT c.* FROM pg_attribute a, aclexplode(a.attacl) c WHERE a.attrelid = o.oid) g
	WHERE g.grantee <> o.relowner
) `

func broken(ctx context.Context, tx pgx.Tx, rule string) ([]string, error) {
	// Every list is a parameter of every rule, so that all take the same.
	query := found + "SELECT text FROM (" + rules[rule] + ") fault (text) WHERE cardinality($1::text[]) + cardinality($2::text[]) + cardinality($3::text[]) > 0 ORDER BY 1"
	rows, err := tx.Query(ctx, query, names(ofNobody), names(systemWrites), names(acrossOrganizations))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func TestCatalogue(t *testing.T) {
	_, address := pgtest.OpenURL(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for rule := range rules {
		t.Run(rule, func(t *testing.T) {
			holds(t, conn, rule)
		})
	}
}

func holds(t *testing.T, conn *pgx.Conn, rule string) {
	t.Helper()
	if len(breaches[rule]) == 0 {
		t.Fatal("no breach shows that this rule finds one")
	}
	for _, breach := range append([]string{""}, breaches[rule]...) {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if breach != "" {
			if _, err := tx.Exec(t.Context(), breach); err != nil {
				t.Fatalf("%s: %v", breach, err)
			}
		}
		faults, err := broken(t.Context(), tx, rule)
		if err != nil {
			t.Fatal(err)
		}
		if breach == "" && len(faults) > 0 {
			t.Error(strings.Join(faults, "\n"))
		}
		if breach != "" && len(faults) == 0 {
			t.Errorf("did not find %q", breach)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// What a list names must be there, so that lists do not outlive their reasons.
func TestCatalogue_lists(t *testing.T) {
	_, address := pgtest.OpenURL(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, list := range []map[string]string{ofNobody, systemWrites, acrossOrganizations} {
		for name := range list {
			var exists bool
			err := conn.QueryRow(t.Context(), `SELECT to_regclass($1) IS NOT NULL`, name).Scan(&exists)
			if err != nil || !exists {
				t.Errorf("%s is listed and not there: %v", name, err)
			}
		}
	}
}

func names(list map[string]string) []string {
	all := make([]string, 0, len(list))
	for name := range list {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// breaches are what each rule must find, one at a time.
var breaches = map[string][]string{
	"rls_is_enabled_and_forced": {
		`ALTER TABLE key NO FORCE ROW LEVEL SECURITY`, `ALTER TABLE key DISABLE ROW LEVEL SECURITY`, newTable,
	},
	"organization_id_is_a_uuid_and_there": {
		`CREATE TABLE loose (organization_id uuid)`, `CREATE TABLE text_id (organization_id text NOT NULL)`,
	},
	"both_roles_have_their_policy": {
		newTable,
		`DROP POLICY one_organization ON key`,
		`DROP POLICY every_organization ON key`,
		`ALTER POLICY one_organization ON key USING (true)`,
		`ALTER POLICY one_organization ON key WITH CHECK (true)`,
		`ALTER POLICY one_organization ON key TO PUBLIC`,
	},
	"there_are_no_other_policies": {
		`CREATE POLICY more ON key TO weir_app USING (true)`,
		`CREATE POLICY one_more ON key USING (true)`,
	},
	"tables_of_nobody_are_listed":       {`CREATE TABLE stray (id uuid)`},
	"tables_of_nobody_are_not_the_apps": {`GRANT SELECT ON ingest_block TO weir_app`},
	"only_tables": {
		`CREATE VIEW all_keys AS SELECT * FROM key`,
		`CREATE MATERIALIZED VIEW all_keys AS SELECT * FROM key`,
	},
	"only_our_roles_are_granted":    {`GRANT SELECT ON key TO PUBLIC`, `GRANT SELECT ON key TO pg_monitor`},
	"only_rows_are_granted":         {`GRANT TRUNCATE ON key TO weir_app`, `GRANT REFERENCES ON key TO weir_app`},
	"nothing_is_granted_by_default": {`ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO weir_app`},
	"what_is_recorded_stays": {
		`GRANT UPDATE ON event TO weir_app`, `GRANT DELETE ON event TO weir_app`, `GRANT DELETE ON event TO weir_system`,
		`GRANT UPDATE (payload) ON event TO weir_app`,
	},
	"the_system_reads_what_it_backs_up": {`REVOKE SELECT ON key FROM weir_system`, newTable},
	"the_system_writes_what_is_listed":  {`GRANT UPDATE ON key TO weir_system`, `GRANT INSERT ON event TO weir_system`},
	"unique_indexes_tell_nothing":       {`CREATE UNIQUE INDEX key_anywhere ON key (sha256)`},
	"foreign_keys_tell_nothing": {
		`CREATE TABLE oracle (organization_id uuid NOT NULL, id uuid PRIMARY KEY);
		 CREATE TABLE child (organization_id uuid NOT NULL, member_id uuid REFERENCES oracle);
		 GRANT INSERT ON child TO weir_app`,
	},
	"functions_run_as_their_caller": {
		`CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1`,
		`CREATE FUNCTION f() RETURNS int LANGUAGE sql SET role = 'postgres' RETURN 1`,
	},
	"no_triggers_nor_rules": {
		`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER t AFTER INSERT ON key EXECUTE FUNCTION f()`,
		`CREATE RULE r AS ON INSERT TO key DO INSTEAD NOTHING`,
	},
	"everything_is_in_public": {`CREATE SCHEMA elsewhere`},
	"our_roles_can_nothing_else": {
		`ALTER ROLE weir_app BYPASSRLS`, `ALTER ROLE weir_app SUPERUSER`, `ALTER ROLE weir_system LOGIN`,
		`ALTER ROLE weir_system CREATEROLE`, `GRANT weir_system TO weir_app`, `GRANT pg_read_all_data TO weir_app`,
	},
	"our_roles_own_nothing": {
		`ALTER TABLE key OWNER TO weir_app`, `ALTER FUNCTION current_organization() OWNER TO weir_system`, `GRANT CREATE ON SCHEMA public TO weir_app`,
	},
}

const newTable = `CREATE TABLE fresh (organization_id uuid NOT NULL PRIMARY KEY)`
