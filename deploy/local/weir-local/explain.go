package main

import (
	"fmt"
	"slices"
	"strings"
)

// explain puts what an engine says of a full disk or of damaged data into one line. Other errors are clear as they are.
func explain(s settings, err error) error {
	if err == nil {
		return nil
	}
	text := strings.ToLower(err.Error())
	switch {
	case containsAny(text, "no space left on device", "check free disk space"):
		return fmt.Errorf("the disk of %s is full: free some space, or set WEIR_LOCAL_DIR to a folder on another disk", s.dir)
	case strings.Contains(text, "postgres ended") && containsAny(text, "panic:", "control file", "pg_control", "startup process failure"),
		strings.Contains(text, "postgres does not answer") && strings.Contains(text, "the database subdirectory"):
		return damaged(s, "postgres", complaint(err.Error()))
	case strings.Contains(text, "clickhouse ended") && strings.Contains(text, "broken parts"):
		return damaged(s, "clickhouse", "parts of a table can't be read")
	}
	return err
}

func damaged(s settings, part, reason string) error {
	return fmt.Errorf("the data of %[2]s in %[1]s/%[2]s is damaged (%[3]s): restore it, or `make clean-local` to begin anew; its log is %[1]s/log/%[2]s.log",
		s.dir, part, reason)
}

func containsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// complaint is the first line in which PostgreSQL says why it gives up; why it lets nobody in meanwhile is no reason.
func complaint(text string) string {
	for line := range strings.Lines(text) {
		for _, level := range []string{"PANIC:", "FATAL:"} {
			if _, what, ok := strings.Cut(line, level); ok && !strings.Contains(what, "the database system is") {
				return strings.TrimSpace(what)
			}
		}
	}
	return "it does not say why"
}
