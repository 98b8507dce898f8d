"""When something is due: crontabs, wall clocks and timetables, without tasks."""
