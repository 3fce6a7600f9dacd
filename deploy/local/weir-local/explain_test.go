package main

import (
	"errors"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	for name, test := range map[string]struct{ given, want string }{
		"full_disk":    {"initdb: exit status 1: creating\ninitdb: error: could not write file: No space left on device", "the disk of /d is full"},
		"broken_wal":   {"postgres ended (signal: aborted); the end of log:\n    LOG:  x\n    PANIC:  could not locate a valid checkpoint record", "damaged (could not locate a valid checkpoint record)"},
		"cut_control":  {"postgres ended (exit status 2)\n    PANIC:  could not read file \"global/pg_control\": read 0 of 296", "/d/log/postgres.log"},
		"another_port": {"postgres ended (exit status 1)\n    FATAL:  could not create any TCP/IP sockets", "FATAL"},
	} {
		t.Run(name, func(t *testing.T) {
			got := explain(settings{dir: "/d"}, errors.New(test.given)).Error()
			if !strings.Contains(got, test.want) || (name != "another_port" && strings.Contains(got, "\n")) {
				t.Errorf("got %s", got)
			}
		})
	}
}
