package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

var name = Field{Name: "name", SQL: "name", Bytewise: true, Ordered: true}

// things have a field of every kind.
var things = Schema{
	Fields: []Field{
		name, {Name: "title", SQL: "title"}, {Name: "id", Kind: ID, SQL: "id"},
		{Name: "created_at", Kind: Time, SQL: "created_at", Ordered: true}, {Name: "ended_at", Kind: Time, SQL: "ended_at"},
		{Name: "uses", Kind: Number, SQL: "uses", Ordered: true}, {Name: "on", Kind: Bool, SQL: "on_off"},
		{Name: "role", Kind: Enum, SQL: "role", Values: map[string]int32{"owner": 1, "viewer": 5}},
		{Name: "labels", Kind: Labels, SQL: "labels"}, {Name: "route_ids", Kind: IDs, SQL: "route_ids"},
		{Name: "targets.model", Kind: Texts, SQL: "models"},
	},
	Search: name, Order: "name",
}

const someID = "0197a3c4-0000-7000-8000-000000000001"

func TestParse(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"empty", " \t\n", ``},
		{"equal", `name = prod`, `name = "prod"`},
		{"no_spaces", `name!="a b"`, `name != "a b"`},
		{"single_quotes", `name='a"b'`, `name = "a\"b"`},
		{"escapes", `name = "a\"b\\c\*"`, `name = "a\"b\\c\*"`},
		{"prefix", `name = prod-*`, `name = "prod-*"`},
		{"has", `title:"big one"`, `title:"big one"`},
		{"present", `ended_at:*`, `ended_at:"*"`},
		{"word", `prod`, `"prod"`},
		{"word_prefix", `prod*`, `"prod*"`},
		{"dotted_word", `gpt-5.1`, `"gpt-5.1"`},
		{"words", `prod eu`, `"prod" AND "eu"`},
		{"time", `created_at >= "2026-07-01T12:00:00+02:00"`, `created_at >= "2026-07-01T12:00:00+02:00"`},
		{"day", `created_at<2026-07-01`, `created_at < "2026-07-01"`},
		{"negative", `uses > -5`, `uses > "-5"`},
		{"label", `labels.team = "x"`, `labels."team" = "x"`},
		{"label_with_dots", `labels.a.b/c:x`, `labels."a.b/c":"x"`},
		{"label_in_quotes", `labels."a b" != x`, `labels."a b" != "x"`},
		{"label_present", `labels.team:*`, `labels."team":"*"`},
		{"has_label", `labels:team`, `labels:"team"`},
		{"contains", `route_ids:` + someID, `route_ids:"` + someID + `"`},
		{"part_of_a_list", `targets.model:gpt-5`, `targets.model:"gpt-5"`},
		{"or_binds_closer_than_and", `a AND b OR c`, `"a" AND ("b" OR "c")`},
		{"side_by_side_is_and", `a b AND c`, `("a" AND "b") AND "c"`},
		{"parentheses", `(a AND b) OR NOT (c)`, `("a" AND "b") OR (NOT "c")`},
		{"minus", `-name:a -(b OR c)`, `(NOT name:"a") AND (NOT ("b" OR "c"))`},
		{"lower_case_words_are_words", `and or not`, `"and" AND "or" AND "not"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := things.Parse(c.text)
			if err != nil || f.String() != c.want {
				t.Errorf("got %s, %v; want %s", f, err, c.want)
			}
		})
	}
}

func TestParse_mistakes(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unknown_field", `name = a AND nme = "x"`, `column 14: there is no field "nme"`},
		{"columns_are_characters", `"éé" AND nme = "x"`, `column 10: there is no field "nme"`},
		{"no_value", `name =`, `column 7: want a value after =, not the end`},
		{"keyword_for_a_value", `name = AND`, `column 8: want a value after =, not AND`},
		{"no_operand", `a AND`, `column 6: want a field or a word, not the end`},
		{"keyword_first", `OR a`, `column 1: want a field or a word, not OR`},
		{"not_twice", `NOT NOT a`, `column 5: want a field or a word, not NOT`},
		{"not_opened", `a)`, `column 2: ) is one too many`},
		{"not_closed", `a (b`, `column 3: the parenthesis is not closed`},
		{"quote_not_closed", `name = "a`, `column 8: the quote is not closed`},
		{"strange_escape", `name = "\n"`, `column 9: \ goes before ", ', \ or *; one that is meant is \\`},
		{"star_inside", `name = a*b`, `column 9: a * stands at the end`},
		{"star_inside_quotes", `name = "a*b"`, `column 10: a * stands at the end`},
		{"comma", `name = a,b`, `column 9: "," can't stand here`},
		{"control", "name = \"a\x00\"", `column 10: a control character can't be looked for`},
		{"no_utf8", "name = \xff", `column 1: it is no UTF-8`},
		{"text_has_no_order", `name > a`, `column 1: name takes = != :, not >`},
		{"id_takes_no_part", `id:0197`, `column 1: id takes = != :* (it has one), not :`},
		{"no_id", `id = 5`, `column 6: id wants a UUID, not "5"`},
		{"id_in_other_clothes", `id = "{` + someID + `}"`, `column 6: id wants a UUID`},
		{"no_time", `created_at > yesterday`, `column 14: created_at wants a time`},
		{"year_0", `created_at > "0000-01-01T00:00:00Z"`, `column 14: created_at wants a time`},
		{"no_number", `uses = 1.5`, `column 8: uses wants a whole number, not "1.5"`},
		{"too_large", `uses = 9223372036854775808`, `column 8: uses wants a whole number`},
		{"no_bool", `on = yes`, `column 6: on wants true or false`},
		{"no_such_value", `role = king`, `column 8: role wants one of owner, viewer, not "king"`},
		{"number_with_star", `uses = 5*`, `column 8: uses = takes no *`},
		{"list_is_not_equal", `route_ids = ` + someID, `column 1: route_ids takes :, not =`},
		{"labels_are_not_equal", `labels = x`, `column 1: labels takes :, not =`},
		{"no_part", `name.x = y`, `column 1: "name" has no part "x"`},
		{"label_without_a_name", `labels. = y`, `column 1: "labels" has no part ""`},
		{"quoted_field", `"name" = y`, `column 1: want the name of a field before =`},
		{"deep", strings.Repeat("(", 30) + "a" + strings.Repeat(")", 30), `column 21: parentheses go at most 20 deep`},
		{"long", strings.Repeat("a ", 51), `column 101: want at most 50 comparisons`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := things.Parse(c.text)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Violations) != 1 || f.Violations[0].Field != "filter" {
				t.Fatalf("got %v, want a fault of the field", err)
			}
			said := f.Violations[0].Description
			if !strings.HasPrefix(said, c.want) || !strings.HasSuffix(said, "; fields: name, title, id, created_at, ended_at, uses, on, role, labels, route_ids, targets.model") {
				t.Errorf("got %s\nwant %s", said, c.want)
			}
		})
	}
	if _, err := (Schema{}).Parse("word"); err == nil || !strings.Contains(err.Error(), "no text here") {
		t.Errorf("a search where nothing can be searched: %v", err)
	}
}

func TestParseOrder(t *testing.T) {
	cases := []struct{ name, text, want, by string }{
		{"the_schemas_own", "", "name", "name, id"},
		{"descending", "created_at desc", "created_at desc", "created_at DESC, id DESC"},
		{"several", " uses desc , name asc", "uses desc, name", "uses DESC, name, id"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o, err := things.ParseOrder(c.text)
			if err != nil || o.String() != c.want || o.By() != c.by {
				t.Errorf("got %s, %s, %v", o, o.By(), err)
			}
		})
	}
	for text, want := range map[string]string{
		"nme": `can't order by "nme"`, "title": `can't order by "title"`, "name,": "want a field", "name down": `want desc or nothing after name, not "down"`,
		"name, name desc": "name stands twice", "name; DROP TABLE key": `can't order by "name;"`,
	} {
		_, err := things.ParseOrder(text)
		if err == nil || !strings.HasPrefix(err.Error(), "order_by: "+want) || !strings.Contains(err.Error(), "ordered by name, created_at, uses") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestAfter_refuses_places_that_were_made_up(t *testing.T) {
	o, err := things.ParseOrder("created_at, uses, name")
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range [][]string{{"a"}, {"x", "1", "a"}, {"2026-07-01", "x", "a"}, {"2026-07-01", "1", "a\x00"}, {"", "", "", ""}} {
		if _, ok := o.After(Place{Values: values}, &Postgres{}); ok {
			t.Errorf("took %q", values)
		}
	}
}
