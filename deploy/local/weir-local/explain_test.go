package main

import (
	"errors"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	for name, test := range map[string]struct{ given, want string }{
		"full_disk":   {"initdb: exit status 1: creating\ninitdb: error: could not write file: No space left on device", "the disk of /d is full"},
		"short_write": {"initdb: exit status 1: running\n[1] FATAL:  could not extend file \"base/1/2704\": wrote only 4096 of 8192 bytes\n[1] HINT:  Check free disk space.", "the disk of /d is full"},
		"no_wal": {"postgres ended (exit status 1)\n    FATAL:  the database system is in recovery mode\n    LOG:  shutting down due to startup process failure",
			"damaged (it does not say why)"},
		"no_database": {"postgres does not answer: deadline\n    FATAL:  database \"postgres\" does not exist\n    DETAIL:  The database subdirectory \"base/5\" is missing.",
			"damaged (database \"postgres\" does not exist"},
		"broken_part": {"clickhouse ended (exit status 1); the end of log:\n    Code: 231. DB::Exception: Suspiciously many (1 parts) broken parts to remove",
			"the data of clickhouse in /d/clickhouse is damaged"},
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
