package dataplane

import (
	"runtime/debug"
	"strings"
)

// commit is what the program was built from, and with: "0123456789ab go1.26.1", with
// "-modified" where the tree was. A build without version control leaves the commit out.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-modified"
		}
	}
	return strings.TrimSpace(revision + modified + " " + info.GoVersion)
}
