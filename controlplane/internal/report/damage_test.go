package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// What broke in our store is no mistake in the caller's text.
func TestRun_damaged_parts(t *testing.T) {
	h := newHouseOn(t, chtest.Start(t))
	var part string
	if err := h.admin.QueryRow(t.Context(), `SELECT path FROM system.parts WHERE table = 'usage_event' AND active`).Scan(&part); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(part, "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no data files in %s: %v", part, err)
	}
	for _, c := range []struct {
		name   string
		damage func(content []byte) []byte
	}{
		{"flipped_bytes", func(content []byte) []byte {
			for i := 40; i < len(content); i += 50 {
				content[i] ^= 0xff
			}
			return content
		}},
		{"cut", func(content []byte) []byte { return content[:len(content)/2] }},
		{"empty", func([]byte) []byte { return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := os.WriteFile(file, content, 0o600); err != nil {
						t.Error(err)
					}
				})
				if err := os.WriteFile(file, c.damage(append([]byte(nil), content...)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := h.Run(h.as(t.Context(), 1), "SELECT * FROM requests")
			var meant *fault.Error
			if err == nil || errors.As(err, &meant) {
				t.Errorf("got %v, want an error that is not the caller's", err)
			}
		})
	}
}
