package engine

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
)

func kafkaChild(args []string) error {
	flags := flag.NewFlagSet(kafkaCommand, flag.ContinueOnError)
	dir := flags.String("dir", "", "data folder")
	port := flags.Int("port", 0, "port on 127.0.0.1")
	if err := flags.Parse(args); err != nil {
		return err
	}
	topics, err := parseTopics(flags.Args())
	if err != nil {
		return err
	}
	lock, err := lockData(*dir)
	if err != nil {
		return err
	}
	defer lock.Release()
	stop := stopSignals()
	cluster, err := startBroker(filepath.Join(*dir, "data"), *port, topics)
	if err != nil {
		return err
	}
	<-stop
	cluster.Close()
	return nil
}

func startBroker(data string, port int, topics []Topic) (*kfake.Cluster, error) {
	opts := []kfake.Opt{
		kfake.Ports(port), kfake.DataDir(data), kfake.SyncWrites(), kfake.ClusterID("weir-local"),
		kfake.WithLogger(kfake.BasicLogger(os.Stderr, kfake.LogLevelWarn)),
		kfake.BrokerConfigs(map[string]string{"default.replication.factor": "1"}),
	}
	for _, t := range topics {
		opts = append(opts, kfake.SeedTopics(int32(t.Partitions), t.Name))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("open broker data in %s: %w (restore it, or `make clean-local` to begin anew)", data, err)
	}
	for _, t := range topics { // the broker seeds an empty folder only
		if cluster.TopicInfo(t.Name) != nil {
			continue
		}
		if err := cluster.CreateTopic(t.Name, int32(t.Partitions), nil); err != nil {
			cluster.Close()
			return nil, fmt.Errorf("create topic %s: %w", t.Name, err)
		}
	}
	return cluster, nil
}

func parseTopics(args []string) ([]Topic, error) {
	topics := make([]Topic, 0, len(args))
	for _, arg := range args {
		name, count, ok := strings.Cut(arg, ":")
		n, err := strconv.Atoi(count)
		if !ok || err != nil || n < 1 {
			return nil, fmt.Errorf("topic %q: want name:partitions", arg)
		}
		topics = append(topics, Topic{Name: name, Partitions: n})
	}
	return topics, nil
}
