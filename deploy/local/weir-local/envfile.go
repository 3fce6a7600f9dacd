package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/weirhq/weir/deploy/local/file"
)

// writeEnv makes the file of shell exports. It appears whole, and only when everything answers.
func writeEnv(s *stack) error {
	var out strings.Builder
	for _, v := range [][2]string{
		{"WEIR_URL", s.url("CONTROL")},
		{"WEIR_AGENT_URL", s.url("AGENT")},
		{"WEIR_ADMIN_URL", s.url("ADMIN")},
		{"WEIR_KEY", s.demo.key},
		{"WEIR_KEY_ID", s.demo.keyID},
		{"WEIR_TOKEN", s.demo.token},
		{"WEIR_POSTGRES_URL", s.postgresURL},
		{"WEIR_KAFKA_BROKERS", s.brokers},
		{"WEIR_CLICKHOUSE_URL", s.clickhouseURL},
		{"WEIR_OIDC_ISSUER", s.issuer},
		{"WEIR_MOCK_URL", s.mockURL},
		{"WEIR_DEMO_EMAIL", s.demo.email},
		{"WEIR_DEMO_PASSWORD", s.demo.password},
	} {
		fmt.Fprintf(&out, "export %s=%s\n", v[0], shellQuote(v[1]))
	}
	if os.Getenv("WEIR_LOCAL_DIR") != "" { // commands in a shell that has this file are about this copy
		fmt.Fprintf(&out, "export WEIR_LOCAL_DIR=%s\n", shellQuote(s.dir))
	}
	return file.Replace(s.path("env"), out.String(), 0o600)
}

func removeEnv(s settings) error {
	if err := os.Remove(s.dir + "/env"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the env file: %w", err)
	}
	return nil
}

func shellQuote(value string) string { return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'" }
