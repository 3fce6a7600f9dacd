package engine

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// listenQuery opens the ports and then never ends: the server lives as long as this query.
const listenQuery = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; " +
	"SELECT sleepEachRow(1) FROM numbers(1000000000) SETTINGS max_block_size = 1 FORMAT Null"

// clickhouseChild is the server process: libchdb.so holds the whole of ClickHouse, and its clickhouse-local can listen.
func clickhouseChild(args []string) error {
	flags := flag.NewFlagSet(clickhouseCommand, flag.ContinueOnError)
	library := flags.String("library", "", "path of libchdb.so")
	dir := flags.String("dir", "", "folder of configuration and data")
	httpPort := flags.String("http-port", "", "HTTP port on 127.0.0.1")
	tcpPort := flags.String("tcp-port", "", "native port on 127.0.0.1")
	if err := flags.Parse(args); err != nil {
		return err
	}
	lock, err := lockData(*dir)
	if err != nil {
		return err
	}
	defer lock.Release()
	stop, ended, refused := stopSignals(), make(chan error, 1), make(chan error, 2)
	for _, port := range []string{*httpPort, *tcpPort} {
		go func() { refused <- serveFront(port) }()
	}
	go func() {
		ended <- runLibrary(*library, []string{
			"clickhouse", "--multiquery", "--config-file=" + filepath.Join(*dir, "config.xml"),
			"--path=" + filepath.Join(*dir, "data"), "--http_port=" + *httpPort, "--tcp_port=" + *tcpPort,
			"--listen_host=" + innerHost, "--log-level=error", "--query=" + listenQuery,
		})
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("data in %s: %w (restore it, or `make clean-local` to begin anew)", filepath.Join(*dir, "data"), err)
	case err := <-refused:
		return err
	case <-stop:
		return nil // inserted parts are whole files already: ending here loses no acknowledged row
	}
}

func runLibrary(path string, args []string) error {
	library, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load %s: %w (remove the cache folder to fetch it again)", path, err)
	}
	var cmdline func(argc int32, argv **byte) uintptr
	var resultError func(result uintptr) string
	purego.RegisterLibFunc(&cmdline, library, "chdb_query_cmdline")
	purego.RegisterLibFunc(&resultError, library, "chdb_result_error")

	argv := make([]*byte, len(args)+1)
	var pins runtime.Pinner
	defer pins.Unpin()
	for i, arg := range args {
		raw := append([]byte(arg), 0)
		pins.Pin(&raw[0])
		argv[i] = &raw[0]
	}
	result := cmdline(int32(len(args)), (**byte)(unsafe.Pointer(&argv[0])))
	if result != 0 {
		if message := resultError(result); message != "" {
			what, _, _ := strings.Cut(message, ", Stack trace")
			return errors.New(what)
		}
	}
	return errors.New("clickhouse ended by itself")
}
