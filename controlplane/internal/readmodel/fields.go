package readmodel

import (
	"fmt"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/filter"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// What lists can be filtered and ordered by has the names of the API's messages.
var (
	idField      = filter.Field{Name: "id", Kind: filter.ID, SQL: "id"}
	nameField    = filter.Field{Name: "name", SQL: "name", Bytewise: true, Ordered: true}
	createdField = ordered(stateTime("created_at"))
	roleField    = stateEnum("role", eventv1.Role_value)
	// Roles by the names that filters have for them.
	Roles = roleField.Values

	// someFields are those of a table that says nothing else.
	someFields = fieldsOf()

	organizationFields = fieldsOf(stateText("display_name"), column("suspended_at", filter.Time))
	projectFields      = fieldsOf(stateText("display_name"))
	providerFields     = fieldsOf(
		stateEnum("dialect", eventv1.Dialect_value), stateText("base_url"), stateText("credential_ref"),
		stateText("region"), stateText("price_list"), stateTexts("allowed_models", "allowed_models[*]"), stateText("api_version"))
	routeFields = fieldsOf(
		stateEnum("strategy", eventv1.Strategy_value), stateTexts("targets.provider_id", "targets[*].provider_id"),
		stateTexts("targets.model", "targets[*].model"), stateTexts("allowed_project_ids", "allowed_project_ids[*]"),
		stateBool("strict"), targetID("canary"), targetModel("canary"), targetID("shadow"), targetModel("shadow"))
	gatewayFields        = fieldsOf(stateText("region"))
	serviceAccountFields = fieldsOf(roleField)
	priceOverrideFields  = fieldsOf(stateText("price_list"), stateText("model"))
	savedReportFields    = fieldsOf(stateText("description"), stateText("sql"))
	alertChannelFields   = fieldsOf(stateText("url"), stateTime("secret_set_at"))
	quotaModeField       = stateEnum("mode", eventv1.QuotaMode_value)
	limitFields          = fieldsOf(
		column("project_id", filter.ID), stateEnum("metric", eventv1.LimitMetric_value), ordered(stateNumber("amount")), quotaModeField, quotaOnField)
	budgetFields = fieldsOf(column("project_id", filter.ID), ordered(stateNumber("amount_nano_usd")), quotaModeField, quotaOnField)
	quotaOnField = in("scope", stateEnum("on", eventv1.QuotaOn_value))
	// QuotaFields are those that limits and budgets have in common.
	QuotaFields = fieldsOf(column("project_id", filter.ID), quotaModeField, quotaOnField)

	// Organizations have many keys: all of a key's fields are columns.
	keyFields = filter.Schema{
		Fields: []filter.Field{
			idField, nameField, column("project_id", filter.ID), column("route_ids", filter.IDs),
			{Name: "suffix", SQL: "suffix", Bytewise: true}, column("labels", filter.Labels),
			ordered(column("created_at", filter.Time)), column("expires_at", filter.Time), column("revoked_at", filter.Time),
		},
		Search: nameField, Order: "name",
	}
	agentFields = filter.Schema{
		Fields: []filter.Field{idField, nameField, column("gateway_id", filter.ID), ordered(stateTime("enrolled_at")), column("revoked_at", filter.Time)},
		Search: nameField, Order: "name",
	}
	rolloutFields = filter.Schema{
		Fields: []filter.Field{idField, column("gateway_id", filter.ID), stateText("state"), ordered(stateTime("started_at"))},
		Order:  "started_at desc",
	}
	joinDomainFields = filter.Schema{
		Fields: []filter.Field{idField, domainField, roleField, createdField},
		Search: domainField, Order: "domain",
	}
	domainField       = filter.Field{Name: "domain", SQL: "name", Bytewise: true, Ordered: true}
	roleBindingFields = filter.Schema{
		Fields: []filter.Field{
			idField, ordered(column("project_id", filter.ID)), column("principal_id", filter.ID),
			stateID("member_id"), stateID("service_account_id"), roleField, createdField,
		},
		Order: "project_id",
	}
	rerateFields = filter.Schema{
		Fields: []filter.Field{
			idField, stateID("project_id"), stateID("provider_id"), stateText("model"), stateText("reason"),
			ordered(stateTime("from")), ordered(stateTime("until")), createdField,
		},
		Order: "created_at",
	}
	enrolmentTokenFields = filter.Schema{
		Fields: []filter.Field{
			idField, column("gateway_id", filter.ID), ordered(stateNumber("max_uses")),
			ordered(filter.Field{Name: "uses", Kind: filter.Number, SQL: "jsonb_array_length(jsonb_path_query_array(state::jsonb, '$.agents[*]'))::bigint"}),
			ordered(stateTime("expires_at")), createdField,
		},
		Order: "created_at",
	}
)

// fieldsOf are the fields of something with a name.
func fieldsOf(more ...filter.Field) filter.Schema {
	fields := append([]filter.Field{idField, nameField}, more...)
	return filter.Schema{Fields: append(fields, createdField), Search: nameField, Order: "name"}
}

// in is a field of the number of an enum that stands in a part of the state.
func in(part string, f filter.Field) filter.Field {
	f.SQL = fmt.Sprintf("(state #>> '{%s,%s}')::bigint", part, f.Name)
	return f
}

func ordered(f filter.Field) filter.Field {
	f.Ordered = true
	return f
}

func column(name string, kind filter.Kind) filter.Field {
	return filter.Field{Name: name, Kind: kind, SQL: name}
}

// What follows reads the state, which is as Go wrote it: no cast can fail.

func stateText(name string) filter.Field {
	return filter.Field{Name: name, SQL: fmt.Sprintf("coalesce(state ->> '%s', '')", name)}
}

func stateBool(name string) filter.Field {
	return filter.Field{Name: name, Kind: filter.Bool, SQL: fmt.Sprintf("coalesce((state ->> '%s')::boolean, false)", name)}
}

// stateTime is NULL for Go's zero time.
func stateTime(name string) filter.Field {
	return filter.Field{Name: name, Kind: filter.Time, SQL: fmt.Sprintf("NULLIF((state ->> '%s')::timestamptz, '0001-01-01T00:00:00Z')", name)}
}

func stateNumber(name string) filter.Field {
	return filter.Field{Name: name, Kind: filter.Number, SQL: fmt.Sprintf("(state ->> '%s')::bigint", name)}
}

func stateID(name string) filter.Field {
	return filter.Field{Name: name, Kind: filter.ID, SQL: fmt.Sprintf("(state ->> '%s')::uuid", name)}
}

// targetID is of the provider of a share of a route.
func targetID(share string) filter.Field {
	return filter.Field{Name: share + ".target.provider_id", Kind: filter.ID, SQL: fmt.Sprintf("(state #>> '{%s,target,provider_id}')::uuid", share)}
}

func targetModel(share string) filter.Field {
	return filter.Field{Name: share + ".target.model", SQL: fmt.Sprintf("coalesce(state #>> '{%s,target,model}', '')", share)}
}

// stateTexts are those at a JSON path; none where there is no such thing.
func stateTexts(name, path string) filter.Field {
	return filter.Field{Name: name, Kind: filter.Texts, SQL: fmt.Sprintf("jsonb_path_query_array(state::jsonb, '$.%s')", path)}
}

// stateEnum takes the values' names without what they all begin with: "viewer".
func stateEnum(name string, values map[string]int32) filter.Field {
	known := make(map[string]int32, len(values))
	for full, number := range values {
		if number != 0 {
			_, value, _ := strings.Cut(full, strings.ToUpper(name)+"_")
			known[strings.ToLower(value)] = number
		}
	}
	return filter.Field{Name: name, Kind: filter.Enum, SQL: fmt.Sprintf("(state ->> '%s')::bigint", name), Values: known}
}
