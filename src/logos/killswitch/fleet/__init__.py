"""One kill switch for many machines: a permit that each engine has to renew, over etcd or Redis."""
