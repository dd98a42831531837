"""What is measured, against whom; ``make bench`` prints every number the README quotes.

overhead.py holds our interfaces against the SDKs' bare iteration, growth.py 20,000 events against
2,000, whole.py the main job, demo.py a thousand clients of crowd.py at once; streams.py makes the
streams. Each compares within one run.
"""
