"""Ships what sessions wrote to other systems: what is final, once it is durable, losing nothing."""
