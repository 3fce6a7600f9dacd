package engine

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rights are what a users file gives a user, without passwords and networks.
type rights struct {
	Profile   string   `xml:"profile"`
	Grants    []string `xml:"grants>query"`
	Databases struct {
		Tables string `xml:",innerxml"`
	} `xml:"databases"`
}

type usersFile struct {
	Profiles struct {
		Report struct {
			Limits string `xml:",innerxml"`
		} `xml:"report"`
	} `xml:"profiles"`
	Users struct {
		Admin         rights `xml:"admin"`
		ReportDefiner rights `xml:"report_definer"`
		Report        rights `xml:"report"`
	} `xml:"users"`
}

// What production is told to use has the rights on which isolation is tested here.
func TestUsersOfProduction(t *testing.T) {
	local, err := render("users.xml", usersTemplate, configValues{Access: Access{}.withDefaults(), Filter: tenantFilter})
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile("../../compose/clickhouse/users.xml")
	if err != nil {
		t.Fatal(err)
	}
	want, got := parseUsers(t, local), parseUsers(t, string(shipped))
	if len(got.Users.Report.Grants) == 0 || got.Users.ReportDefiner.Databases.Tables == "" {
		t.Fatalf("no rights in %+v", got)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deploy/compose/clickhouse/users.xml is not what the tests run on: %s", diff)
	}
}

func parseUsers(t *testing.T, text string) usersFile {
	t.Helper()
	// Apostrophes are escaped here and not there; indentation says nothing.
	text = strings.NewReplacer("&#39;", "'", "\n", "", "  ", "").Replace(text)
	var users usersFile
	if err := xml.Unmarshal([]byte(text), &users); err != nil {
		t.Fatal(err)
	}
	return users
}
