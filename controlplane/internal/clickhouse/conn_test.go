package clickhouse_test

import (
	"errors"
	"os"
	"testing"

	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

func TestConn_InsertBlock(t *testing.T) {
	database := chtest.Open(t)
	var name string
	if err := database.QueryRow(t.Context(), "SELECT currentDatabase()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	for transport, variable := range map[string]string{"native": chtest.URLVariable, "http": "WEIR_TEST_CLICKHOUSE_HTTP_URL"} {
		t.Run(transport, func(t *testing.T) {
			conn, err := clickhouse.OpenDatabase(os.Getenv(variable), name)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			table := "numbers_" + transport
			err = database.Exec(t.Context(), "CREATE TABLE "+table+` (n Int64, tags Array(LowCardinality(String)), CONSTRAINT small CHECK n < 100)
				ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100`)
			if err != nil {
				t.Fatal(err)
			}
			insert := func(token string, numbers ...int64) error {
				tags := proto.NewArray[string](proto.NewLowCardinality[string](new(proto.ColStr)))
				for range numbers {
					tags.Append([]string{"a", "b"})
				}
				column := proto.ColInt64(numbers)
				return conn.InsertBlock(t.Context(), table, proto.Input{{Name: "n", Data: &column}, {Name: "tags", Data: tags}},
					map[string]any{"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token})
			}
			var said *driver.Exception
			if err := insert("one", 1, 200); !errors.As(err, &said) || said.Code != 469 {
				t.Errorf("a row that the table refuses: %v", err)
			}
			for _, token := range []string{"one", "two", "two"} {
				if err := insert(token, 1, 2, 3); err != nil {
					t.Fatal(err)
				}
			}
			var rows, tags uint64
			if err := database.QueryRow(t.Context(), "SELECT count(), sum(length(tags)) FROM "+table).Scan(&rows, &tags); err != nil || rows != 6 || tags != 12 {
				t.Errorf("%d rows with %d tags, %v", rows, tags, err)
			}
		})
	}
}
