package control_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
)

// Usage that is left from another gateway goes out in nobody else's name.
func TestEnrolsAtAnotherGatewayOnlyWithAnEmptySpool(t *testing.T) {
	for name, left := range map[string]int64{"left": 2, "empty": 0} {
		t.Run(name, func(t *testing.T) {
			l, p, dir := newLiar(t), &plane{}, t.TempDir()
			d := revoking(5, 2)
			d.header.GatewayId, d.revocations.GatewayId = "another", "another"
			if err := os.Mkdir(filepath.Join(dir, "policy"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "policy", "a"), read(t, l.seed(t, d).Path))
			config := p.config(l.url, dir)
			config.Spooled = func() control.Spooled { return control.Spooled{Records: left} }
			client, err := control.New(config)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
			defer stop()
			go func() {
				<-client.Enrolled()
				stop()
			}()
			err = client.Run(ctx)
			_, enrolled := client.Identity()
			if left == 0 && (err != nil || !enrolled) {
				t.Errorf("enrolled: %t, %v", enrolled, err)
			}
			if left > 0 && (enrolled || err == nil || !strings.Contains(err.Error(), "2 records of usage of gateway another")) {
				t.Errorf("enrolled: %t, %v", enrolled, err)
			}
		})
	}
}
