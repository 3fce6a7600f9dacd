package controlplane

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/openapi"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/rpc"
)

func TestServer_openapi(t *testing.T) {
	_, url := pgtest.OpenURL(t)
	p, err := open(t.Context(), Config{
		Roles: []string{RoleAPI}, PublicURL: "http://console.example", PostgresURL: url, PostgresSuperuser: true,
		HouseKeyFile: filepath.Join(t.TempDir(), "house.key"), ClickHouseReportURL: "clickhouse://127.0.0.1:1",
		OIDCIssuer: "http://127.0.0.1:1", OIDCClientID: "console", OIDCClientSecret: "secret",
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.db.Close()
	s, err := p.server()
	if err != nil {
		t.Fatal(err)
	}
	defer s.closeAll()
	answer := httptest.NewRecorder()
	rpc.NewMux(s.services, s.pages).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	if answer.Code != http.StatusOK || !slices.Equal(answer.Body.Bytes(), openapi.Document()) {
		t.Errorf("without login: %d, %d bytes", answer.Code, answer.Body.Len())
	}
}
