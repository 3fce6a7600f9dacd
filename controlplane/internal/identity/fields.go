package identity

import (
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// MemberFields are what lists of members are filtered and ordered by. A word alone is
// looked for in names and addresses.
var MemberFields = filter.Schema{
	Fields: []filter.Field{
		{Name: "id", Kind: filter.ID, SQL: "m.id"},
		{Name: "name", SQL: `coalesce(p.name, '') COLLATE "C"`, Bytewise: true, Ordered: true},
		{Name: "email", SQL: `coalesce(p.email, '') COLLATE "C"`, Bytewise: true, Ordered: true},
		{Name: "role", Kind: filter.Enum, SQL: "(m.state ->> 'role')::bigint", Values: readmodel.Roles},
		{Name: "state", Kind: filter.Enum, Values: memberStates, SQL: `CASE WHEN m.state ->> 'erased_at' IS NOT NULL THEN 4::bigint
			WHEN m.state ->> 'removed_at' IS NOT NULL THEN 3 WHEN m.state ->> 'invitation_expires_at' IS NOT NULL THEN 1 ELSE 2 END`},
		{Name: "created_at", Kind: filter.Time, SQL: "(m.state ->> 'created_at')::timestamptz", Ordered: true},
		{Name: "invitation_expires_at", Kind: filter.Time, SQL: "(m.state ->> 'invitation_expires_at')::timestamptz"},
	},
	Search: filter.Field{SQL: "coalesce(p.name, '') || ' ' || coalesce(p.email, '')"},
	ID:     "m.id", Order: "created_at",
}

var memberStates = map[string]int32{"invited": 1, "active": 2, "removed": 3, "erased": 4}

// SessionFields are what lists of sessions are filtered and ordered by.
var SessionFields = filter.Schema{
	Fields: []filter.Field{
		{Name: "id", Kind: filter.ID, SQL: "id"},
		{Name: "created_at", Kind: filter.Time, SQL: "created_at", Ordered: true},
		{Name: "last_seen_at", Kind: filter.Time, SQL: "coalesce(last_seen_at, created_at)", Ordered: true},
		{Name: "idle_expires_at", Kind: filter.Time, SQL: "idle_expires_at", Ordered: true},
		{Name: "expires_at", Kind: filter.Time, SQL: "expires_at", Ordered: true},
		{Name: "address", SQL: "address"},
		{Name: "user_agent", SQL: "user_agent"},
	},
	Search: filter.Field{SQL: "user_agent"},
	Order:  "created_at desc",
}
