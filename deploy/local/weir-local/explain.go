package main

import (
	"fmt"
	"strings"
)

// explain puts what an engine says of a full disk or of damaged data into one line. Other errors are clear as they are.
func explain(s settings, err error) error {
	if err == nil {
		return nil
	}
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, "no space left on device"):
		return fmt.Errorf("the disk of %s is full: free some space, or set WEIR_LOCAL_DIR to a folder on another disk", s.dir)
	case strings.Contains(text, "postgres ended") && (strings.Contains(text, "panic:") || strings.Contains(text, "control file") || strings.Contains(text, "pg_control")):
		return fmt.Errorf("the data of postgres in %s/postgres is damaged (%s): restore it, or `make clean-local` to begin anew; its log is %s/log/postgres.log",
			s.dir, complaint(err.Error()), s.dir)
	}
	return err
}

// complaint is the first line in which PostgreSQL says why it gives up.
func complaint(text string) string {
	for line := range strings.Lines(text) {
		for _, level := range []string{"PANIC:", "FATAL:"} {
			if _, what, ok := strings.Cut(line, level); ok {
				return strings.TrimSpace(what)
			}
		}
	}
	return "it does not say why"
}
