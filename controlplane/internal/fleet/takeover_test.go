package fleet

import "testing"

func TestTookOver(t *testing.T) {
	was := Server{SystemIdentifier: "7", Timeline: 3, Database: "5"}
	cases := []struct {
		name string
		now  Server
		at   int64
		want bool
	}{
		{"a_standby", Server{"7", 4, "5"}, 100, true},
		{"a_later_one", Server{"7", 6, "5"}, 101, true},
		{"it_lacks_what_was_seen", Server{"7", 4, "5"}, 99, false},
		{"the_same_timeline", was, 100, false},
		{"another_system", Server{"8", 4, "5"}, 100, false},
		{"another_database", Server{"7", 4, "6"}, 100, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.now.tookOver(was, c.at, 100); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
