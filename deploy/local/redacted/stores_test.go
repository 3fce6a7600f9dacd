package redacted_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// visit is told what a store holds, piece by piece, and where that is.
type visit func(where string, content []byte)

// stores are all places that anything is kept at or shown by.
func (w *world) stores() map[string]func(visit) {
	return map[string]func(visit){
		"postgres files":   func(v visit) { w.files(v, "postgres") },
		"postgres tables":  w.tables,
		"kafka files":      func(v visit) { w.files(v, "kafka") },
		"kafka records":    w.records,
		"clickhouse files": func(v visit) { w.files(v, "clickhouse") },
		"clickhouse rows":  w.rows,
		"logs":             w.logs,
		"metrics":          w.metrics,
		"traces":           w.spans,
		"agent state":      func(v visit) { w.files(v, "edge") },
		"admin API":        w.reads,
	}
}

// search returns what of the canaries is in the stores: "store: where: what (form)".
func (w *world) search() (found []string) {
	w.t.Helper()
	for name, store := range w.stores() {
		bytesSeen, pieces := 0, 0
		look := func(where string, content []byte) {
			bytesSeen, pieces = bytesSeen+len(content), pieces+1
			for _, what := range w.canaries.in(content) {
				found = append(found, name+": "+where+": "+what)
			}
		}
		store(func(where string, content []byte) {
			look(where, content)
			unpacked(content, name == "clickhouse files", func(plain []byte) { look(where+" unpacked", plain) })
		})
		w.t.Logf("%s: %d pieces, %d bytes", name, pieces, bytesSeen)
	}
	slices.Sort(found)
	return found
}

// files are all below a folder, of which some come and go.
func (w *world) files(v visit, folder string) {
	w.t.Helper()
	err := filepath.WalkDir(filepath.Join(w.Dir, folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return ignoreGone(err)
		}
		content, err := os.ReadFile(path)
		if err == nil {
			v(strings.TrimPrefix(path, w.Dir), append([]byte(filepath.Base(path)+"\n"), content...))
		}
		return ignoreGone(err)
	})
	w.must(err)
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (w *world) logs(v visit) {
	w.t.Helper()
	logs, err := filepath.Glob(filepath.Join(w.Dir, "*.log"))
	w.must(err)
	more, err := filepath.Glob(filepath.Join(w.Dir, "*", "*.log"))
	w.must(err)
	for _, path := range append(logs, more...) {
		content, err := os.ReadFile(path)
		w.must(err)
		v(filepath.Base(path), content)
	}
}

// tables are all rows of Postgres as text, whatever they are stored as.
func (w *world) tables(v visit) {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.DSN)
	w.must(err)
	defer conn.Close(context.Background())
	rows, err := conn.Query(w.t.Context(), `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')`)
	w.must(err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.must(err)
	for _, name := range names {
		rows, err := conn.Query(w.t.Context(), "SELECT to_jsonb(t)::text FROM "+name+" t")
		w.must(err)
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		w.must(err)
		v(name, []byte(strings.Join(all, "\n")))
		for _, row := range all { // bytea is hex there
			v(name+" as bytes", unhexed(row))
		}
	}
}

// unhexed is what all \x… of a row are.
func unhexed(row string) (plain []byte) {
	for _, part := range strings.Split(row, `\x`)[1:] {
		for i := 0; i+1 < len(part); i += 2 {
			var b byte
			if _, err := fmt.Sscanf(part[i:i+2], "%02x", &b); err != nil {
				break
			}
			plain = append(plain, b)
		}
	}
	return plain
}

// records are all of the broker, as consumers get them.
func (w *world) records(v visit) {
	w.t.Helper()
	conn, err := kafka.Dial("tcp", w.brokers)
	w.must(err)
	partitions, err := conn.ReadPartitions()
	w.must(errors.Join(err, conn.Close()))
	for _, p := range partitions {
		leader, err := kafka.DialLeader(w.t.Context(), "tcp", w.brokers, p.Topic, p.ID)
		w.must(err)
		first, last, err := leader.ReadOffsets()
		w.must(err)
		if first < last {
			_, err = leader.Seek(first, kafka.SeekAbsolute)
			w.must(err)
		}
		for offset := first; offset < last; {
			w.must(leader.SetReadDeadline(time.Now().Add(10 * time.Second)))
			message, err := leader.ReadMessage(16 << 20)
			w.must(err)
			offset = message.Offset + 1
			v(fmt.Sprintf("%s/%d@%d", p.Topic, p.ID, message.Offset), slices.Concat(message.Key, []byte{'\n'}, message.Value, fmt.Append(nil, message.Headers)))
		}
		w.must(leader.Close())
	}
}

// ask has ClickHouse answer a statement; views show the rows of the organization that the query's
// id begins with.
func (w *world) ask(statement string) []byte {
	w.t.Helper()
	at, err := url.Parse(w.clickhouse.AdminHTTPURL)
	w.must(err)
	password, _ := at.User.Password()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+at.Host+"/?query_id="+w.organization+"."+strconv.Itoa(rand.Int()), strings.NewReader(statement))
	w.must(err)
	request.Header.Set("X-ClickHouse-User", at.User.Username())
	request.Header.Set("X-ClickHouse-Key", password)
	return w.read(request, true)
}

func (w *world) read(request *http.Request, need bool) []byte {
	w.t.Helper()
	response, err := http.DefaultClient.Do(request)
	w.must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	w.must(err)
	if need && response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s: %s", request.URL, response.Status, body)
	}
	return body
}

// rows are those of all of ClickHouse's tables, its own logs among them.
func (w *world) rows(v visit) {
	w.t.Helper()
	names := strings.Fields(string(w.ask("SELECT concat('`', database, '`.`', name, '`') FROM system.tables WHERE engine LIKE '%MergeTree%' OR database = 'system' AND name IN ('processes', 'query_cache', 'errors', 'warnings')")))
	for _, name := range names {
		v(name, w.ask("SELECT * FROM "+name+" FORMAT JSONEachRow"))
	}
}

func (w *world) metrics(v visit) {
	w.t.Helper()
	for _, at := range []string{w.adminURL, w.agent.AdminURL} {
		request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, at+"/metrics", http.NoBody)
		w.must(err)
		v(at, append(w.read(request, true), w.planted...))
	}
}

func (w *world) spans(v visit) {
	w.traces.mu.Lock()
	defer w.traces.mu.Unlock()
	for i, body := range w.traces.received {
		v(fmt.Sprint("export ", i), body)
	}
}

// call is an RPC of the admin API in JSON, which may say no.
func (w *world) call(method string, body any) []byte {
	w.t.Helper()
	text, err := json.Marshal(body)
	w.must(err)
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.URL+"/"+method, bytes.NewReader(text))
	w.must(err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+w.token)
	return w.read(request, false)
}

// reads are all lists that the admin API has, each thing that is on them, and the rows that
// tenants see.
func (w *world) reads(v visit) {
	w.t.Helper()
	protoregistry.GlobalFiles.RangeFilesByPackage("weir.admin.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			service := f.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				name, isList := strings.CutPrefix(string(method.Name()), "List")
				if !isList {
					continue
				}
				path := string(service.FullName()) + "/"
				listed := w.call(path+"List"+name, w.scope(method.Input()))
				v(path+"List"+name, listed)
				for _, id := range idsIn(listed) {
					for _, field := range []string{"id", "requestId"} {
						v(path+"Get "+id, w.call(path+"Get"+strings.TrimSuffix(name, "s"), map[string]string{field: id}))
					}
				}
			}
		}
		return true
	})
	v("planted", []byte(w.planted))
	v("GetOrganization", w.call("weir.admin.v1.OrganizationService/GetOrganization", map[string]string{}))
	v("GetOverview", w.call("weir.admin.v1.ReportService/GetOverview", map[string]string{}))
	for _, view := range []string{"requests", "attempts", "spend_daily", "latency_hourly", "completeness"} {
		v(view, w.call("weir.admin.v1.ReportService/RunQuery", map[string]string{"sql": "SELECT * FROM " + view}))
	}
}

// scope names the gateway where a list is of one.
func (w *world) scope(input protoreflect.MessageDescriptor) map[string]string {
	if input.Fields().ByName("gateway_id") != nil {
		return map[string]string{"gatewayId": w.gateway}
	}
	return map[string]string{}
}

// idsIn a list's answer are those of the things themselves.
func idsIn(answer []byte) (ids []string) {
	var lists map[string]json.RawMessage
	_ = json.Unmarshal(answer, &lists)
	for _, list := range lists {
		var things []struct{ ID, RequestID string }
		if json.Unmarshal(list, &things) == nil {
			for _, thing := range things {
				ids = append(ids, thing.ID+thing.RequestID)
			}
		}
	}
	return ids
}
